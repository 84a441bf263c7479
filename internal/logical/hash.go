package logical

import "hash/fnv"

// Hash is a number of the canonical form, for clients that compare plans.
func Hash(p Plan) int32 {
	h := fnv.New32a()
	h.Write([]byte(Canonical(p)))
	return int32(h.Sum32())
}
