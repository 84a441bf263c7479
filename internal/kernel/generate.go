package kernel

import (
	"bytes"
	"encoding/json"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// A generator's Func gives for each row the rows it generates: a vector of List layout whose elements are the generated
// rows, as Record if they have several columns, or a vector of Entries layout for key and value. Null rows generate nothing.

// Explode yields the elements of arrays and the entries of maps as they are.
func Explode(_ *Ctx, args []columnar.Vector, _ int) (columnar.Vector, error) {
	return args[0].Flatten(), nil
}

// PosExplode puts the position, from 0, before the elements or entries.
func PosExplode(_ *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	v := args[0].Flatten()
	offs := columnar.Of[int32](v.Data)[:n+1]
	pos := make([]int32, offs[n])
	for i := range n {
		for e := offs[i]; e < offs[i+1]; e++ {
			pos[e] = e - offs[i]
		}
	}
	kids := []columnar.Vector{columnar.NewFlat(types.Int, pos)}
	for _, k := range v.Kids {
		k = k.Flatten()
		kids = append(kids, k.Window(0, len(pos)))
	}
	return columnar.Vector{N: n, Valid: v.Valid, Data: v.Data, Kids: []columnar.Vector{{N: len(pos), Kids: kids}}}, nil
}

// Inline yields the fields of the structs of arrays; a null struct yields nulls.
func Inline(_ *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	v := args[0].Flatten()
	elem := v.Kids[0].Flatten()
	if elem.Valid == nil {
		return v, nil
	}
	kids := make([]columnar.Vector, len(elem.Kids))
	for i := range kids {
		kids[i] = elem.Kids[i].Flatten()
		kids[i].Valid = columnar.And(nil, kids[i].Valid, elem.Valid, elem.N)
	}
	v.Kids = []columnar.Vector{{Type: elem.Type, N: elem.N, Kids: kids}}
	return v, nil
}

// Stack yields rows of args[0], args[1] … in turns: width columns a row, rows for each input row; what is missing is null.
func Stack(rows, width int, cols []types.Type) Func {
	return func(_ *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		kids := make([]columnar.Vector, width)
		at := make([]uint32, n*rows)
		for i := range at {
			at[i] = uint32(i%rows*n + i/rows)
		}
		for c := range kids {
			a := columnar.NewAppender(cols[c])
			for r := range rows {
				if k := r*width + c; k < len(args) {
					a.AppendVector(&args[k])
				} else {
					a.AppendNulls(n)
				}
			}
			all := a.Finish()
			kids[c] = columnar.Gather(&all, at)
		}
		return columnar.Vector{N: n, Data: evenOffsets(n, rows), Kids: []columnar.Vector{{N: n * rows, Kids: kids}}}, nil
	}
}

func evenOffsets(n, each int) []byte {
	data := columnar.Make(columnar.List, n+1)
	for i, offs := 0, columnar.Of[int32](data); i <= n; i++ {
		offs[i] = int32(i * each)
	}
	return data
}

// ReplicateRows yields k times the number k, of BIGINT.
func ReplicateRows(_ *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	v := args[0].Flatten()
	vals := columnar.Of[int64](v.Data)[:n]
	data := columnar.Make(columnar.List, n+1)
	offs := columnar.Of[int32](data)
	var out []int64
	for i, k := range vals {
		if !v.Null(i) {
			for range k {
				out = append(out, k)
			}
		}
		offs[i+1] = int32(len(out))
	}
	return columnar.Vector{N: n, Data: data, Kids: []columnar.Vector{columnar.NewFlat(types.Long, out)}}, nil
}

// JSONTuple yields one row: the fields of a JSON object that the other arguments name, as text.
func JSONTuple(_ *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	fields := len(args) - 1
	cols := make([]*columnar.Builder, fields)
	for i := range cols {
		cols[i] = columnar.NewBuilder(types.String, n)
	}
	for i := range n {
		var object map[string]json.RawMessage
		if !args[0].Null(i) {
			if err := json.Unmarshal(args[0].Text(i), &object); err != nil {
				object = nil // what is no JSON object has no fields
			}
		}
		for f := range cols {
			name := &args[f+1]
			if name.Null(i) {
				cols[f].Append(nil)
				continue
			}
			cols[f].Append(jsonText(object[string(name.Text(i))]))
		}
	}
	kids := make([]columnar.Vector, fields)
	for i := range kids {
		kids[i] = cols[i].Finish()
	}
	return columnar.Vector{N: n, Data: evenOffsets(n, 1), Kids: []columnar.Vector{{N: n, Kids: kids}}}, nil
}

// jsonText is a JSON value as text: strings without quotes, null as nil, the rest without spaces.
func jsonText(raw json.RawMessage) any {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
