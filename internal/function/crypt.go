package function

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, cryptRows) }

const aesName = "`aes_encrypt`/`aes_decrypt`"

func cryptRows() []*Row {
	mode, padding, empty := tStr.defaultTo("GCM"), tStr.defaultTo("DEFAULT"), tBin.orElse(expr.NewLiteral("", types.String))
	decrypt := func() *Sig { return sig(to(types.Binary), tBin, tBin, mode, padding, empty).nullable() }
	return group("misc_funcs",
		fn("aes_encrypt", "3.3.0", "aes_encrypt(bin, key[, mode[, padding[, iv[, aad]]]]): the bytes encrypted by AES in mode GCM, CBC or ECB.",
			sig(to(types.Binary), tBin, tBin, mode, padding, empty, empty).nullable(), rowsOf(aesEncrypt), "hex(aes_encrypt('Spark', '0000111122223333', 'ECB'))", "348FF37EBDE05B7880BA339068FBDA5E"),
		fn("aes_decrypt", "3.3.0", "aes_decrypt(bin, key[, mode[, padding[, aad]]]): the bytes that aes_encrypt encrypted.", decrypt(), rowsOf(aesDecrypt),
			"aes_decrypt(unhex('83F16B2AA704794132802D248E6BFD4E380078182D1544813898AC97E709B28A94'), '0000111122223333')", "Spark"),
		fn("try_aes_decrypt", "3.5.0", "try_aes_decrypt(bin, key[, mode[, padding[, aad]]]): aes_decrypt, or null where it fails.", decrypt(), func(c *expr.Call) (kernel.Func, error) {
			return kernel.EachRow(c.T, func(c *kernel.Ctx, row []any) (any, error) {
				v, err := aesDecrypt(c, row)
				if err != nil {
					return nil, nil
				}
				return v, nil
			}), nil
		}, "try_aes_decrypt(X'00', '0000111122223333')", "NULL").total(),
	)
}

func aesBlock(key []byte) (cipher.Block, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "parameter", "`key`", "functionName", aesName, "actualLength", itoa(int64(len(key))))
	}
	return b, nil
}

// aesMode is GCM, CBC or ECB when the padding goes with it.
func aesMode(mode, padding string) (string, error) {
	m, p := strings.ToUpper(mode), strings.ToUpper(padding)
	switch {
	case m == "GCM" && (p == "DEFAULT" || p == "NONE"), (m == "CBC" || m == "ECB") && (p == "DEFAULT" || p == "PKCS"):
		return m, nil
	}
	return "", sparkerr.New("UNSUPPORTED_FEATURE.AES_MODE", "mode", mode, "padding", padding, "functionName", aesName)
}

func aesFailed(msg string) error {
	return sparkerr.New("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "parameter", "`expr`, `key`", "functionName", aesName, "detailMessage", msg)
}

func aesEncrypt(_ *kernel.Ctx, row []any) (any, error) {
	mode, err := aesMode(row[2].(string), row[3].(string))
	if err != nil {
		return nil, err
	}
	block, err := aesBlock(row[1].([]byte))
	if err != nil {
		return nil, err
	}
	input, iv, aad := row[0].([]byte), row[4].([]byte), row[5].([]byte)
	want := map[string]int{"GCM": 12, "CBC": 16}[mode]
	switch {
	case len(aad) > 0 && mode != "GCM":
		return nil, sparkerr.New("UNSUPPORTED_FEATURE.AES_MODE_AAD", "mode", mode, "functionName", aesName)
	case len(iv) > 0 && mode == "ECB":
		return nil, sparkerr.New("UNSUPPORTED_FEATURE.AES_MODE_IV", "mode", mode, "functionName", aesName)
	case len(iv) > 0 && len(iv) != want:
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "mode", mode, "parameter", "`iv`", "functionName", aesName, "actualLength", itoa(int64(len(iv))))
	case len(iv) == 0:
		iv = make([]byte, want)
		_, _ = rand.Read(iv) // never fails
	}
	if mode == "GCM" {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, aesFailed(err.Error())
		}
		return gcm.Seal(append([]byte{}, iv...), iv, input, aad), nil
	}
	n := aes.BlockSize - len(input)%aes.BlockSize
	padded := append(append([]byte{}, input...), bytes.Repeat([]byte{byte(n)}, n)...)
	if mode == "CBC" {
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
		return append(append([]byte{}, iv...), padded...), nil
	}
	for i := 0; i < len(padded); i += aes.BlockSize {
		block.Encrypt(padded[i:], padded[i:])
	}
	return padded, nil
}

func aesDecrypt(_ *kernel.Ctx, row []any) (any, error) {
	mode, err := aesMode(row[2].(string), row[3].(string))
	if err != nil {
		return nil, err
	}
	block, err := aesBlock(row[1].([]byte))
	if err != nil {
		return nil, err
	}
	input, aad := row[0].([]byte), row[4].([]byte)
	switch {
	case len(aad) > 0 && mode != "GCM":
		return nil, sparkerr.New("UNSUPPORTED_FEATURE.AES_MODE_AAD", "mode", mode, "functionName", aesName)
	case mode == "GCM":
		if len(input) < 12 {
			return nil, aesFailed("Invalid buffer arguments")
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, aesFailed(err.Error())
		}
		out, err := gcm.Open([]byte{}, input[:12], input[12:], aad)
		if err != nil {
			return nil, aesFailed("Tag mismatch")
		}
		return out, nil
	}
	out := append([]byte{}, input...)
	if mode == "CBC" {
		if len(out) < 16 {
			return nil, aesFailed("Invalid buffer arguments")
		}
		out = out[16:]
	}
	if len(out)%aes.BlockSize != 0 || len(out) == 0 {
		return nil, aesFailed("Input length must be multiple of 16 when decrypting with padded cipher")
	}
	if mode == "CBC" {
		cipher.NewCBCDecrypter(block, input[:16]).CryptBlocks(out, out)
	} else {
		for i := 0; i < len(out); i += aes.BlockSize {
			block.Decrypt(out[i:], out[i:])
		}
	}
	n := int(out[len(out)-1])
	if n < 1 || n > aes.BlockSize || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, aesFailed("Given final block not properly padded. Such issues can arise if a bad key is used during decryption.")
	}
	return out[:len(out)-n], nil
}
