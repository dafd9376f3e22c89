package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"
)

// errHelpShown ends a command line that asked for help.
var errHelpShown = errors.New("help was shown")

// helpFlag is --help. It ends parsing by an error, where kong's own would end
// the process.
type helpFlag bool

// IgnoreDefault keeps kong from resetting the flag.
func (helpFlag) IgnoreDefault() {}

// BeforeReset prints the help before anything is validated.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return fmt.Errorf("print the help: %w", err)
	}
	return errHelpShown
}

// topics follow the list of commands.
const topics = `
A server is named by GATEHOUSE_URL and GATEHOUSE_API_KEY, by a context (gatehouse
context --help), or by nothing at all where gatehouse dev runs in this directory.

Exit status: 0 done; 1 failed; 2 what was given is not valid; 3 not found; 4 denied;
5 a run or test was blocked or did not succeed; 6 server not available; 130 interrupted.

First steps:
  gatehouse demo                 see it work, with simulated data
  gatehouse dev                  start empty, then in another terminal:
  gatehouse connections create aws --name "Prod AWS" --set access_key_id=AKIA... --set region=us-east-1
  gatehouse runs start discovery.run --connection "Prod AWS" --watch
  gatehouse access who-can arn:aws:s3:::payroll
`

// askedForHelp takes the ways to ask for help that are no flag: nothing at all, and
// the word that other programs have.
func askedForHelp(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// printHelp is kong's help and, for the whole, what every command shares.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	options.Summary = false
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() != nil {
		return nil
	}
	_, err := fmt.Fprint(ctx.Stdout, topics)
	return err
}
