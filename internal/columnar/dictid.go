package columnar

import "sync/atomic"

var lastDict atomic.Uint64

// NextDictID makes a fresh Vector.DictID.
func NextDictID() uint64 { return lastDict.Add(1) }
