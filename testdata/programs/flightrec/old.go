//go:build !go1.25

package main

import "gotrace.test/programs/rec"

func main() { rec.Unsupported("needs Go 1.25") }
