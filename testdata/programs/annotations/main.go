// Annotations uses tasks, regions and logs in every way that is allowed, and
// some that are only tolerated: regions and a task begun before the trace,
// nested regions, regions without a task, subtasks, a task that is worked on
// by several goroutines, that spans generations of the trace, that is ended
// twice, that is never ended, goroutines started inside a region, a region
// still open when its goroutine ends, and odd texts in logs.
package main

import (
	"context"
	"runtime/trace"
	"strings"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	// Before the trace: its begin is missing, its end is there.
	ctx, early := trace.NewTask(context.Background(), "early task")
	region := trace.StartRegion(ctx, "early region")
	rec.Start()
	region.End()
	trace.Log(ctx, "early", "log on a task whose begin is missing")
	early.End()

	nested()
	family()
	shared()
	ended()
	texts()
	acrossGenerations()
	unfinished()
	rec.Stop()
}

// nested: regions within regions, with and without a task, and the same name
// twice.
func nested() {
	ctx, task := trace.NewTask(context.Background(), "nested")
	defer task.End()
	trace.WithRegion(ctx, "outer", func() {
		trace.WithRegion(ctx, "inner", func() {
			trace.WithRegion(ctx, "inner", func() { rec.Spin(50 * time.Microsecond) })
		})
		trace.WithRegion(context.Background(), "no task", func() { time.Sleep(time.Millisecond) })
		trace.WithRegion(ctx, "inner", func() { time.Sleep(time.Millisecond) })
	})
}

// family: a task with children and a grandchild; a child that outlives its
// parent.
func family() {
	ctx, parent := trace.NewTask(context.Background(), "parent")
	var late *trace.Task
	for _, name := range []string{"first", "second", "late"} {
		ctx, child := trace.NewTask(ctx, name+" child")
		_, grandchild := trace.NewTask(ctx, "grandchild")
		trace.Logf(ctx, "family", "name=%s", name)
		grandchild.End()
		if name == "late" {
			late = child
		} else {
			child.End()
		}
	}
	parent.End()
	time.Sleep(time.Millisecond)
	late.End()
}

// shared: several goroutines work on one task; it is ended by another
// goroutine than the one that began it.
func shared() {
	ctx, task := trace.NewTask(context.Background(), "shared")
	var wg sync.WaitGroup
	trace.WithRegion(ctx, "start workers", func() {
		for i := 0; i < 4; i++ {
			i := i
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer trace.StartRegion(ctx, "worker").End()
				trace.Logf(ctx, "worker", "%d", i)
				time.Sleep(time.Duration(i+1) * time.Millisecond)
			}()
		}
	})
	done := make(chan bool)
	go func() {
		wg.Wait()
		task.End()
		close(done)
	}()
	<-done
}

// ended: a task that is ended twice, and used after its end.
func ended() {
	ctx, task := trace.NewTask(context.Background(), "ended twice")
	task.End()
	trace.Log(ctx, "ended", "log after the end")
	trace.WithRegion(ctx, "region after the end", func() {})
	task.End()
}

// texts: everything a log, a name or a category may contain.
func texts() {
	ctx, task := trace.NewTask(context.Background(), "texts: größer, 日本語, \"quoted\"")
	defer task.End()
	trace.Log(ctx, "", "no category")
	trace.Log(ctx, "empty", "")
	trace.Log(ctx, "", "")
	trace.Log(ctx, "lines", "one\ntwo\tand a tab\r\n")
	trace.Log(ctx, "quotes", `"double", 'single', back\slash`)
	trace.Log(ctx, "markup", "<b>&amp;</b>")
	trace.Log(ctx, "unicode", "Gänse 🦢, 日本語, \u202eright to left\u202c, nul \x00")
	trace.Log(ctx, "invalid", "not UTF-8: \xff\xfe.")
	trace.Log(ctx, "long", strings.Repeat("0123456789", 150))
	trace.Log(context.Background(), "background", "a log without a task")
	trace.WithRegion(ctx, "", func() {}) // a region without a name
}

// acrossGenerations: a task, a region on this goroutine and a region on
// another are open for 2.3 s; the trace starts a new generation every second.
func acrossGenerations() {
	ctx, task := trace.NewTask(context.Background(), "long task")
	defer task.End()
	defer trace.StartRegion(ctx, "long region").End()
	done := make(chan bool)
	go func() {
		defer close(done)
		defer trace.StartRegion(ctx, "long region elsewhere").End()
		time.Sleep(2200 * time.Millisecond)
	}()
	for i := 0; i < 5; i++ {
		trace.Logf(ctx, "beat", "%d", i)
		trace.WithRegion(ctx, "beat", func() { time.Sleep(450 * time.Millisecond) })
	}
	<-done
}

// unfinished: a region left open by a goroutine that ends, one left open at
// the end of the trace, a goroutine that is still at work, and two tasks that
// never end.
func unfinished() {
	ctx, _ := trace.NewTask(context.Background(), "unfinished")
	trace.NewTask(ctx, "unfinished child")
	done := make(chan bool)
	go func() {
		trace.StartRegion(ctx, "left open by a goroutine that ends")
		close(done)
	}()
	<-done
	go func() {
		trace.WithRegion(ctx, "still at work", func() { select {} })
	}()
	trace.StartRegion(ctx, "left open")
	time.Sleep(time.Millisecond)
}
