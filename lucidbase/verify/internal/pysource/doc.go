// Package pysource reads Python sources as far as it takes to know what a module
// imports while it is imported itself, and which names it has then. It is no parser: a
// lexer that is right on every source that Python accepts, and what statements begin
// with.
package pysource
