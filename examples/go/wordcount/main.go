// Command wordcount counts the words of text files with RDDs and prints the ten most frequent.
//
//	wordcount PATH                               # on this machine
//	MASTER=spark://host:7077 wordcount PATH      # on a cluster
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/firesteel/firesteel/spark"
)

func main() { spark.Main(run) }

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: wordcount PATH")
	}
	s, err := spark.Builder().AppName("word count").GetOrCreate(ctx)
	if err != nil {
		return err
	}
	defer s.Stop(ctx)
	words := spark.FlatMap(s.SparkContext().TextFile(os.Args[1]), split)
	counts := spark.ReduceByKey(spark.Map(words, once), add)
	top, err := counts.TakeOrdered(ctx, 10, byCount)
	for _, c := range top {
		fmt.Println(c.Value, c.Key)
	}
	return err
}

// The functions below run on executors: they capture nothing.

func split(line string) []string {
	return strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return !unicode.IsLetter(r) })
}

func once(word string) spark.Pair[string, int] { return spark.PairOf(word, 1) }

func add(a, b int) int { return a + b }

func byCount(a, b spark.Pair[string, int]) int {
	return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Key, b.Key))
}
