// What `go tool trace` makes of a trace when asked for profiles: of all
// goroutines, of each group of them, and of each type of region.
//
// The script ../toolchain builds this file as if it were a part of cmd/trace,
// whose functions it calls. It is used as
//
//	gotracepprof TRACE
//
// with GOTRACE_PPROF=text, and prints the samples as tab-separated text, or
// with GOTRACE_PPROF=hash a line of sums for each profile.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"internal/trace/traceviewer"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strings"
)

func init() {
	mode := os.Getenv("GOTRACE_PPROF")
	if mode == "" {
		return
	}
	if err := printProfiles(os.Args[len(os.Args)-1], mode == "hash"); err != nil {
		fmt.Fprintln(os.Stderr, "gotracepprof:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

var profileTypes = []struct {
	name    string
	compute func() computePprofFunc
}{
	{"net", computePprofIO},
	{"sync", computePprofBlock},
	{"syscall", computePprofSyscall},
	{"sched", computePprofSched},
}

func printProfiles(path string, hash bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	parsed, err := parseTrace(f, info.Size())
	if err != nil {
		fmt.Fprintf(w, "# error: %v\n", err)
		return nil
	}
	if parsed.err != nil {
		fmt.Fprintf(w, "# error: %v\n", parsed.err)
	}
	names, regions := make(map[string]bool), make(map[string]bool)
	for _, g := range parsed.summary.Goroutines {
		if g.Name != "" {
			names[g.Name] = true
		}
		for _, r := range g.Regions {
			if r.Name != "" {
				regions[r.Name] = true
			}
		}
	}
	p := printer{w: w, hash: hash, parsed: parsed}
	p.print("all", "", url.Values{}, pprofByGoroutine)
	for _, name := range sortedKeys(names) {
		p.print("goroutine", name, url.Values{"name": {name}}, pprofByGoroutine)
	}
	for _, name := range sortedKeys(regions) {
		p.print("region", name, url.Values{"type": {name}}, pprofByRegion)
	}
	return nil
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

type printer struct {
	w      *bufio.Writer
	hash   bool
	parsed *parsedTrace
}

func (p *printer) print(kind, name string, form url.Values, by func(computePprofFunc, *parsedTrace) traceviewer.ProfileFunc) {
	if p.hash {
		fmt.Fprintf(p.w, "%s\t%s", kind, name)
	}
	for _, t := range profileTypes {
		records, err := by(t.compute(), p.parsed)(&http.Request{Form: form})
		var lines []string
		var count, delay int64
		if err == nil {
			for _, s := range traceviewer.BuildProfile(records).Sample {
				count += s.Value[0]
				delay += s.Value[1]
				var line strings.Builder
				fmt.Fprintf(&line, "%d %d", s.Value[0], s.Value[1])
				for _, l := range s.Location {
					f := l.Line[0].Function
					fmt.Fprintf(&line, " %#x:%s:%s:%d", l.Address, f.Name, f.Filename, l.Line[0].Line)
				}
				lines = append(lines, line.String())
			}
		}
		sort.Strings(lines)
		if !p.hash {
			for _, line := range lines {
				fmt.Fprintf(p.w, "%s\t%s\t%s\t%s\n", kind, name, t.name, line)
			}
			continue
		}
		if len(lines) == 0 {
			fmt.Fprint(p.w, "\t-")
			continue
		}
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		fmt.Fprintf(p.w, "\t%d %d %d %x", len(lines), count, delay, sum[:8])
	}
	if p.hash {
		fmt.Fprintln(p.w)
	}
}
