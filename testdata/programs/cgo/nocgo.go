//go:build !cgo

package main

import "gotrace.test/programs/rec"

func main() { rec.Unsupported("no C compiler") }
