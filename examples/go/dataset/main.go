// Command dataset finds the longest words of text files, by their length, with a typed Dataset.
//
//	dataset PATH
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/firesteel/firesteel/spark"
	"github.com/firesteel/firesteel/spark/functions"
)

// Group are the words of one length.
type Group struct {
	Length int32
	Words  []string
	Times  int64
}

func main() { spark.Main(run) }

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: dataset PATH")
	}
	s, err := spark.Builder().AppName("longest words").GetOrCreate(ctx)
	if err != nil {
		return err
	}
	defer s.Stop(ctx)
	word := spark.Col("word")
	words := s.Read().Text(os.Args[1]).
		Select(functions.Explode(functions.Split(functions.Lower(spark.Col("value")), "[^a-z]+")).As("word"))
	groups := spark.As[Group](words.
		GroupBy(functions.Length(word).As("length")).
		Agg(functions.SortArray(functions.CollectSet(word), true).As("words"), functions.Count(word).As("times")).
		OrderBy(spark.Col("length").Desc()))
	for g, err := range groups.Limit(3).All(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%d letters: %s (%d times)\n", g.Length, strings.Join(g.Words, ", "), g.Times)
	}
	return nil
}
