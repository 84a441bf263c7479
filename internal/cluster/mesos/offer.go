package mesos

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// constraint is a condition on an attribute of agents.
type constraint struct {
	attribute string
	values    []string // any of them; none: the attribute is there
}

// parseConstraints reads "attr:v1,v2;attr2:;…".
func parseConstraints(text string) ([]constraint, error) {
	var out []constraint
	for _, part := range strings.Split(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, values, _ := strings.Cut(part, ":")
		c := constraint{attribute: strings.TrimSpace(name)}
		if c.attribute == "" {
			return nil, fmt.Errorf("the constraint %q has no attribute", part)
		}
		for _, v := range strings.Split(values, ",") {
			if v = strings.TrimSpace(v); v != "" {
				c.values = append(c.values, v)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// holds says whether an agent with these attributes will do: a text equals one of the values, a number is at least one of
// them, and ranges contain one of them.
func (c constraint) holds(attributes []attribute) bool {
	for _, a := range attributes {
		if a.Name == c.attribute && (len(c.values) == 0 || slices.ContainsFunc(c.values, a.matches)) {
			return true
		}
	}
	return false
}

func (a attribute) matches(value string) bool {
	switch {
	case a.Text != nil:
		return a.Text.Value == value
	case a.Scalar != nil:
		f, err := strconv.ParseFloat(value, 64)
		return err == nil && f <= a.Scalar.Value
	case a.Ranges != nil:
		n, err := strconv.ParseUint(value, 10, 64)
		return err == nil && a.Ranges.contain(n)
	}
	return false
}

func (r *ranges) contain(n uint64) bool {
	return r != nil && slices.ContainsFunc(r.Range, func(s span) bool { return s.Begin <= n && n <= s.End })
}

// stock is what is left of an offer. Amounts are thousandths, as the master counts them.
type stock struct{ left []resource }

func newStock(o *offer) *stock {
	s := &stock{}
	for _, r := range o.Resources {
		if r.Revocable != nil {
			continue // it can be taken away at any time
		}
		if r.Scalar != nil {
			c := *r.Scalar // the offer itself does not change
			r.Scalar = &c
		}
		s.left = append(s.left, r)
	}
	return s
}

func thousandths(f float64) int64 { return int64(math.Round(f * 1000)) }

// amount is what is left of a scalar resource, of all roles and reservations together.
func (s *stock) amount(name string) float64 {
	var n int64
	for _, r := range s.left {
		if r.Name == name && r.Scalar != nil {
			n += thousandths(r.Scalar.Value)
		}
	}
	return float64(n) / 1000
}

func (s *stock) hasPort(p uint64) bool {
	return slices.ContainsFunc(s.left, func(r resource) bool { return r.Name == "ports" && r.Ranges.contain(p) })
}

// take takes so much of a scalar resource, from each entry by itself: a task names the reservations that it uses.
func (s *stock) take(name string, amount float64) []resource {
	var out []resource
	want := thousandths(amount)
	for i := range s.left {
		r := &s.left[i]
		if r.Name != name || r.Scalar == nil || want == 0 {
			continue
		}
		n := min(want, thousandths(r.Scalar.Value))
		if n <= 0 {
			continue
		}
		part := *r
		part.Scalar = &scalar{float64(n) / 1000}
		r.Scalar.Value = float64(thousandths(r.Scalar.Value)-n) / 1000
		want -= n
		out = append(out, part)
	}
	return out
}

// takePort takes one port, if it is there.
func (s *stock) takePort(p uint64) []resource {
	for i := range s.left {
		r := &s.left[i]
		if r.Name != "ports" || !r.Ranges.contain(p) {
			continue
		}
		part := *r
		part.Ranges = &ranges{[]span{{p, p}}}
		var rest []span
		for _, x := range r.Ranges.Range {
			switch {
			case p < x.Begin || p > x.End:
				rest = append(rest, x)
				continue
			case x.Begin < p:
				rest = append(rest, span{x.Begin, p - 1})
			}
			if p < x.End {
				rest = append(rest, span{p + 1, x.End})
			}
		}
		r.Ranges = &ranges{rest}
		return []resource{part}
	}
	return nil
}
