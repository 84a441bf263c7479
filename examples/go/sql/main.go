// Command sql counts the lines and words of text files, by the first letter of the line, with SQL.
//
//	sql PATH
package main

import (
	"context"
	"errors"
	"os"

	"github.com/firesteel/firesteel/spark"
)

func main() { spark.Main(run) }

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: sql PATH")
	}
	s, err := spark.Builder().AppName("lines by letter").GetOrCreate(ctx)
	if err != nil {
		return err
	}
	defer s.Stop(ctx)
	if err := s.Read().Text(os.Args[1]).CreateOrReplaceTempView("lines"); err != nil {
		return err
	}
	d, err := s.SQL(ctx, `
		SELECT lower(left(value, 1)) AS letter, count(*) AS lines, sum(size(split(value, ' '))) AS words
		FROM lines WHERE value <> '' GROUP BY 1 ORDER BY lines DESC, letter LIMIT 5`)
	if err != nil {
		return err
	}
	return d.Show(ctx, 5)
}
