// Gotraceoracle asks Go's own trace reader (internal/trace) what it makes of
// a trace. That package can only be imported from within the Go tree: the
// script ../toolchain builds this file as if it were cmd/gotraceoracle.
//
//	gotraceoracle summary TRACE        per-goroutine statistics as TSV
//	gotraceoracle loop TRACE           read all events, print how many and how long
//	gotraceoracle textconv TEST OUT    text-form test case -> binary trace
//	gotraceoracle mmu TRACE FLAG NS... minimum mutator utilisation, a line for each window
//	gotraceoracle related TRACE GOID   goroutines connected by wake-ups, a line for each
//	gotraceoracle damage TRACE         damages on standard input -> events read of each
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"internal/trace"
	"internal/trace/raw"
	"internal/txtar"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "summary":
		err = summary(args[1])
	case len(args) == 2 && args[0] == "loop":
		err = loop(args[1])
	case len(args) == 2 && args[0] == "damage":
		err = damage(args[1])
	case len(args) > 3 && args[0] == "mmu":
		err = mmu(args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "related":
		err = related(args[1], args[2])
	case len(args) == 3 && args[0] == "textconv":
		err = textconv(args[1], args[2])
	default:
		err = fmt.Errorf("usage: gotraceoracle summary TRACE | loop TRACE | textconv TEST OUT | damage TRACE | mmu TRACE FLAG NS... | related TRACE GOID")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotraceoracle:", err)
		os.Exit(1)
	}
}

// summary does what cmd/trace does with a trace: all events up to the first
// error go into the summarizer. The goroutine statistics are printed in the
// order of the goroutine IDs, times in nanoseconds.
//
// The comment lines after the table say how many events were read, how many
// of them were valid (up to and including the last Sync event: cmd/trace
// drops the rest) and, for a broken trace, the error.
func summary(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	r, err := trace.NewReader(f)
	if err != nil {
		fmt.Fprintf(w, "# error: failed to create trace reader: %v\n", err)
		return nil
	}
	s := trace.NewSummarizer()
	var events []*trace.Event
	valid := 0
	var failure error
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			valid = len(events)
			break
		}
		if err != nil {
			failure = err
			break
		}
		events = append(events, &ev)
		s.Event(&ev)
		if ev.Kind() == trace.EventSync {
			valid = len(events)
		}
	}
	if valid == 0 {
		fmt.Fprintf(w, "# error: failed to parse any useful part of the trace: %v\n", failure)
		return nil
	}
	fmt.Fprintln(w, "# goid\tname\tcreation\tstart\tend\texec\tsched\tsyscall\tsyscall_block\ttotal\tblock\trange")
	gs := s.Finalize().Goroutines
	ids := make([]trace.GoID, 0, len(gs))
	for id := range gs {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		g := gs[id]
		fmt.Fprintf(w, "%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n",
			id, g.Name, g.CreationTime, g.StartTime, g.EndTime,
			g.ExecTime, g.SchedWaitTime, g.SyscallTime, g.SyscallBlockTime, g.TotalTime,
			object(g.BlockTimeByReason), object(g.RangeTime))
	}
	fmt.Fprintf(w, "# events: %d valid: %d\n", len(events), valid)
	if failure != nil {
		fmt.Fprintf(w, "# error: %v\n", failure)
	}
	return nil
}

// object is the JSON object of m with sorted keys and times in nanoseconds.
func object(m map[string]time.Duration) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	ns := make(map[string]int64, len(m))
	for k, v := range m {
		ns[k] = int64(v)
	}
	if err := enc.Encode(ns); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// loop reads all events and does nothing with them.
func loop(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	start := time.Now()
	r, err := trace.NewReader(bufio.NewReader(f))
	if err != nil {
		return err
	}
	n := 0
	for {
		if _, err := r.ReadEvent(); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("after %d events: %w", n, err)
		}
		n++
	}
	fmt.Printf("events %d seconds %.3f\n", n, time.Since(start).Seconds())
	return nil
}

// textconv makes a binary trace of a test case in text form, and prints what
// is expected of a reader: SUCCESS, or FAILURE and a quoted regular
// expression.
func textconv(test, out string) error {
	ar, err := txtar.ParseFile(test)
	if err != nil {
		return err
	}
	var expect, text []byte
	for _, f := range ar.Files {
		switch f.Name {
		case "expect":
			expect = f.Data
		case "trace":
			text = f.Data
		}
	}
	if expect == nil || text == nil {
		return fmt.Errorf("%s: no expect or no trace in it", test)
	}
	r, err := raw.NewTextReader(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w, err := raw.NewWriter(&b, r.Version())
	if err != nil {
		return err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := w.WriteEvent(ev); err != nil {
			return err
		}
	}
	if err := os.WriteFile(out, b.Bytes(), 0o666); err != nil {
		return err
	}
	_, err = os.Stdout.Write(expect)
	return err
}

// damage reads damages from standard input, one a line, as edits of the bytes
// of the trace (see ../../committed/damage.rs):
//
//	100-104=00ff,200-200@30-60    bytes 100 to 104 become 00 ff, those from 30
//	                              to 60 are repeated at 200
//
// For each it prints how many events the reader gives before it stops, Sync
// events not counted, and its error: -1 if it refuses the trace as a whole.
func damage(path string) error {
	whole, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for in.Scan() {
		damaged, err := edit(whole, in.Text())
		if err != nil {
			return err
		}
		n, failure := readable(damaged)
		message, _, _ := strings.Cut(failure, "\n")
		fmt.Fprintf(w, "%d\t%s\n", n, strings.ReplaceAll(message, "\t", " "))
	}
	return in.Err()
}

func edit(whole []byte, edits string) ([]byte, error) {
	var out []byte
	from := 0
	for _, e := range strings.Split(edits, ",") {
		if e == "" {
			continue
		}
		at := strings.IndexAny(e, "=@")
		if at < 0 {
			return nil, fmt.Errorf("bad edit %q", e)
		}
		start, end, err := span(e[:at])
		if err != nil {
			return nil, err
		}
		out = append(out, whole[from:start]...)
		if e[at] == '=' {
			b, err := hex.DecodeString(e[at+1:])
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		} else {
			a, b, err := span(e[at+1:])
			if err != nil {
				return nil, err
			}
			out = append(out, whole[a:b]...)
		}
		from = end
	}
	return append(out, whole[from:]...), nil
}

// span is the two numbers in "100-104".
func span(text string) (from, to int, err error) {
	a, b, _ := strings.Cut(text, "-")
	if from, err = strconv.Atoi(a); err != nil {
		return
	}
	to, err = strconv.Atoi(b)
	return
}

// readable counts the events up to the first error. A panic of the reader is
// an error too.
func readable(data []byte) (n int, failure string) {
	defer func() {
		if p := recover(); p != nil {
			failure = fmt.Sprint("panic: ", p)
		}
	}()
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		return -1, err.Error()
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return n, ""
		}
		if err != nil {
			return n, err.Error()
		}
		if ev.Kind() == trace.EventStateTransition {
			// Panics where the reader let a wrong number pass, and so does -d=parsed.
			_ = ev.StateTransition()
		}
		if ev.Kind() != trace.EventSync {
			n++
		}
	}
}

// readAll reads a trace up to its end.
func readAll(path string) ([]trace.Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := trace.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, err
	}
	var events []trace.Event
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		events = append(events, ev)
	}
}

// mmu prints the minimum mutator utilization in windows of the given lengths.
// Flags are those of cmd/trace's page, with + between.
func mmu(path, flagNames string, windows []string) error {
	names := map[string]trace.UtilFlags{
		"stw": trace.UtilSTW, "background": trace.UtilBackground, "assist": trace.UtilAssist,
		"sweep": trace.UtilSweep, "perProc": trace.UtilPerProc,
	}
	var flags trace.UtilFlags
	for _, name := range strings.Split(flagNames, "+") {
		flag, ok := names[name]
		if !ok {
			return fmt.Errorf("unknown flag %q", name)
		}
		flags |= flag
	}
	events, err := readAll(path)
	if err != nil {
		return err
	}
	utils := trace.MutatorUtilizationV2(events, flags)
	if len(utils) == 0 {
		return nil
	}
	curve := trace.NewMMUCurve(utils)
	for _, text := range windows {
		window, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		fmt.Printf("%d %.12f\n", window, curve.MMU(time.Duration(window)))
	}
	return nil
}

// related prints the goroutines that cmd/trace shows beside one.
func related(path, goid string) error {
	id, err := strconv.ParseInt(goid, 10, 64)
	if err != nil {
		return err
	}
	events, err := readAll(path)
	if err != nil {
		return err
	}
	var ids []int64
	for id := range trace.RelatedGoroutinesV2(events, trace.GoID(id)) {
		ids = append(ids, int64(id))
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		fmt.Println(id)
	}
	return nil
}
