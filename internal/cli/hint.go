package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// suggest makes of a word that is no command, behind one that has commands, what
// was probably meant. Kong takes it for an argument of the command that is run
// when none is named, and knows no other.
func suggest(parsed *kong.Context, command, text string) (saidBy, better string) {
	word, unexpected := strings.CutPrefix(text, "unexpected argument ")
	node := parsed.Selected()
	if !unexpected || node == nil || node.Parent == nil || node.Parent.DefaultCmd != node || slices.Contains(parsed.Args, node.Name) {
		return command, text
	}
	var names []string
	for _, child := range node.Parent.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	better = "there is no command " + word
	if meant := nearest.Name(word, names); meant != "" {
		better += fmt.Sprintf(", did you mean %q?", meant)
	} else {
		better += "; there are " + strings.Join(names, ", ")
	}
	return strings.TrimSuffix(strings.TrimSuffix(command, node.Name), " "), better
}

// hintOf is the way out of an error that some library has made.
func hintOf(err error) string {
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &authority):
		return "if an authority of your own issued the certificate, name its certificate by SSL_CERT_FILE=/path/to/ca.pem, or add it to those that this machine trusts"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "is its address http:// instead of https://?"
	}
	return ""
}
