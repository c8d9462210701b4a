// Command custos generates authentication into Go projects. Run `custos help`.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	debug.SetGCPercent(400) // custos lives for a fraction of a second: an eighth of it went into collecting garbage
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
