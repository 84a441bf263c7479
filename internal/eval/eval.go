// Package eval compiles resolved expressions into programs that run over batches.
package eval
