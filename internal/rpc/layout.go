package rpc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
)

// Layout is a digest of how values of these types travel: programs that differ in it do not understand each other.
func (c *Codec) Layout(roots ...reflect.Type) string {
	var b strings.Builder
	seen := map[reflect.Type]bool{}
	for _, t := range roots {
		c.describe(&b, seen, t)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

func (c *Codec) describe(b *strings.Builder, seen map[reflect.Type]bool, t reflect.Type) {
	fmt.Fprintf(b, "%s %s\n", t.PkgPath(), t)
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				b.WriteString(f.Name)
				c.describe(b, seen, f.Type)
			}
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		c.describe(b, seen, t.Elem())
	case reflect.Map:
		c.describe(b, seen, t.Key())
		c.describe(b, seen, t.Elem())
	case reflect.Interface:
		for _, m := range c.MembersOf(t) {
			c.describe(b, seen, m)
		}
	}
}
