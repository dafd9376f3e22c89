// Package secret carries a credential through the program without letting it
// into a log, a trace, an error, a job or an answer by accident.
//
// Decrypted credentials and secret configuration fields pass through it, from
// where they are read to the one place that sends them to their provider. All
// of fmt, encoding/json, encoding.TextMarshaler and log/slog print
// [Placeholder] instead of the value; only [Secret.Reveal] and
// [Secret.RevealString] give it out, and a search for these names finds every
// place that sees a secret.
//
// It never encrypts or stores anything (package seal does the one, postgres the
// other), and it does not protect from code that reads the process's memory.
package secret
