package eval_test

import (
	"errors"

	"github.com/firesteel/firesteel/internal/expr"
)

func aggregate(a *expr.Agg) (string, error) { return "", errors.New("aggregate") }
