// Package rec is what the test programs share: it records the execution
// trace of the process that runs it into the file named by -o.
package rec

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/trace"
	"time"
)

var (
	output = flag.String("o", "", "record the execution trace into this `file`")
	file   *os.File
)

// Main records body: it is all most programs need.
func Main(body func()) {
	Start()
	body()
	Stop()
}

// Create parses the flags and opens the output file, for programs that write
// the file themselves.
func Create() *os.File {
	if !flag.Parsed() {
		flag.Parse()
	}
	if *output == "" {
		Fail("no output file: use -o FILE")
	}
	f, err := os.Create(*output)
	if err != nil {
		Fail("%v", err)
	}
	// The same number of Ps everywhere keeps the traces comparable.
	runtime.GOMAXPROCS(4)
	return f
}

// Start begins tracing. Whatever ran before it is part of the trace only as
// the state the goroutines were in.
func Start() {
	file = Create()
	if err := trace.Start(file); err != nil {
		Fail("%v", err)
	}
}

// Stop ends tracing and closes the file.
func Stop() {
	trace.Stop()
	if err := file.Close(); err != nil {
		Fail("%v", err)
	}
}

// Fail reports an error and leaves with status 1.
func Fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// Unsupported leaves with status 3, which the record script reads as "this
// program says nothing under this toolchain".
func Unsupported(why string) {
	fmt.Fprintln(os.Stderr, "not supported:", why)
	os.Exit(3)
}

// Spin keeps one CPU busy for about d and returns a number, so that the loop
// is not optimised away.
//
//go:noinline
func Spin(d time.Duration) (n uint64) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := uint64(0); i < 1000; i++ {
			n = n*31 + i
		}
	}
	return n
}
