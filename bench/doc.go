//go:build linux

// Command bench measures what custos promises about speed and memory, each time against a floor that is
// measured in the same run, and prints a table. Call it from the root of the repository: go run ./bench
//
// Figures of a busy machine are noise; their ratios are less so. So a figure and its floor are measured in turns,
// and a ratio is the median of the ratios of the turns;
// the range of the middle half of them stands beside it, and a target inside that range is neither met nor missed for
// certain. It needs Linux (/proc), and PostgreSQL for its part: the
// server of BENCH_POSTGRES, a DSN, or one on this machine, whose CPU time it can count.
//
// Its part timing, which runs only when it is named, is another thing: it sends pairs of requests that an attacker must
// not be able to tell apart, such as one with a wrong password and one for an account that does not exist, and exits with 1
// when one takes longer than the other.
package main
