//go:build go1.25

// Synctest runs a bubble of package testing/synctest: goroutines that wait
// for a clock that moves only when all of them do.
package main

import (
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	os.Stdout, _ = os.Open(os.DevNull) // nobody wants the test's report
	all := func(pat, str string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "TestBubble", F: testBubble}}, nil, nil)
}

func testBubble(t *testing.T) {
	rec.Main(func() { synctest.Test(t, bubble) })
}

func bubble(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		for i := 0; i < 5; i++ {
			time.Sleep(time.Hour) // an hour of the bubble, nothing of ours
			w.Write([]byte("x"))
		}
		w.Close()
	}()
	go io.Copy(io.Discard, r)
	for i := 0; i < 5; i++ {
		time.Sleep(time.Hour)
		synctest.Wait()
	}
}
