//go:build go1.25

// Flightrec keeps the trace of the last moments in a flight recorder
// (trace.FlightRecorder) and saves it when something interesting happens. The
// beginning of the trace is missing: goroutines are found in the middle of
// their work, in every state there is.
package main

import (
	"context"
	"runtime/trace"
	"sync"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	f := rec.Create()
	fr := trace.NewFlightRecorder(trace.FlightRecorderConfig{
		MinAge:   time.Second,
		MaxBytes: 1 << 20,
	})
	if err := fr.Start(); err != nil {
		rec.Fail("%v", err)
	}

	ctx, task := trace.NewTask(context.Background(), "service")
	defer task.End()
	var mu sync.Mutex
	mu.Lock()
	go func() { mu.Lock() }()
	go func() { select {} }()
	go inKernel()
	requests := make(chan int)
	for i := 0; i < 3; i++ {
		go serve(ctx, requests)
	}
	for i := 0; i < 150; i++ {
		requests <- i
		time.Sleep(15 * time.Millisecond)
	}

	trace.Log(ctx, "alarm", "request took too long")
	if _, err := fr.WriteTo(f); err != nil {
		rec.Fail("%v", err)
	}
	fr.Stop()
	if err := f.Close(); err != nil {
		rec.Fail("%v", err)
	}
}

func serve(ctx context.Context, requests <-chan int) {
	defer trace.StartRegion(ctx, "serve").End()
	for i := range requests {
		trace.WithRegion(ctx, "request", func() {
			trace.Logf(ctx, "request", "%d", i)
			rec.Spin(100 * time.Microsecond)
		})
	}
}

// inKernel stays in one system call all the time.
func inKernel() {
	t := syscall.NsecToTimespec(int64(time.Minute))
	syscall.Nanosleep(&t, nil)
}
