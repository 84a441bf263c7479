package function

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/crc32"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, hashRows) }

func hashRows() []*Row {
	return group("hash_funcs",
		fn("md5", "1.5.0", "md5(bin): the MD5 sum in hexadecimal digits.", sig(to(types.String), tBin), b1(func(dst, b []byte) []byte {
			s := md5.Sum(b)
			return hex.AppendEncode(dst, s[:])
		}), "md5('Spark')", "8cde774d6f7333752ed72cacddb05126").total(),
		fn("sha", "1.5.0", "sha(bin): the SHA-1 sum in hexadecimal digits.", sig(to(types.String), tBin), b1(func(dst, b []byte) []byte {
			s := sha1.Sum(b)
			return hex.AppendEncode(dst, s[:])
		}), "sha('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c").alias("sha1").own().total(),
		fn("sha2", "1.5.0", "sha2(bin, bits): the SHA-2 sum of 224, 256, 384 or 512 bits in hexadecimal digits; 0 means 256.", sig(to(types.String), tBin, tInt).nullable(),
			t2(sha2), "sha2('Spark', 224)", "dbeab94971678d36af2195851c0f7485775a2a7c60073d62fc04549c").total(),
		fn("crc32", "1.5.0", "crc32(bin): the CRC-32 sum.", sig(to(types.Long), tBin), f1(func(b []byte) int64 { return int64(crc32.ChecksumIEEE(b)) }), "crc32('Spark')", "1557323817").total(),
		fn("hash", "2.0.0", "hash(expr, …): the hash of the values that partitioning uses.", nil, func(*expr.Call) (kernel.Func, error) {
			return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
				out := kernel.Out[int32](c, n)
				for i := range out {
					out[i] = int32(hashRow(kernel.Murmur{}, args, i))
				}
				return kernel.Flat(out), nil
			}, nil
		}, "hash('Spark', array(123), 2)", "-1321691492").binds(bindHash("hash", types.Int)).seesNulls().total(),
		fn("xxhash64", "3.0.0", "xxhash64(expr, …): a hash of the values of 64 bits.", nil, func(*expr.Call) (kernel.Func, error) {
			return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
				out := kernel.Out[int64](c, n)
				for i := range out {
					out[i] = int64(hashRow(kernel.XX{}, args, i))
				}
				return kernel.Flat(out), nil
			}, nil
		}, "xxhash64('Spark', array(123), 2)", "5602566077635097486").binds(bindHash("xxhash64", types.Long)).seesNulls().total(),
	)
}

func hashRow(h kernel.Hasher, args []columnar.Vector, i int) uint64 {
	seed := uint64(42)
	for k := range args {
		seed = kernel.HashValue(h, args[k].Type, args[k].ValueAt(i), seed)
	}
	return seed
}

func bindHash(name string, t types.Type) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if len(call.Args) == 0 {
			return nil, wrongArgs(name, 1, -1, 0)
		}
		allowed := env.Session.Conf != nil && env.Session.Conf("spark.sql.legacy.allowHashOnMapType") == "true"
		for _, a := range call.Args {
			if a.Type().HasMap() && !allowed {
				return nil, mismatch("HASH_MAP_TYPE", call, "functionName", types.Quote(name))
			}
		}
		r, _ := Lookup(name)
		return r.call(env, call, t, false, call.Args...), nil
	}
}

func sha2(_ *kernel.Ctx, dst, b []byte, bits int32) ([]byte, bool, error) {
	switch bits {
	case 0, 256:
		s := sha256.Sum256(b)
		return hex.AppendEncode(dst, s[:]), true, nil
	case 224:
		s := sha256.Sum224(b)
		return hex.AppendEncode(dst, s[:]), true, nil
	case 384:
		s := sha512.Sum384(b)
		return hex.AppendEncode(dst, s[:]), true, nil
	case 512:
		s := sha512.Sum512(b)
		return hex.AppendEncode(dst, s[:]), true, nil
	}
	return dst, false, nil
}
