package auditlog

import "golang.org/x/mod/sumdb/note"

// NoteSigner lets tests sign what the package would not.
func NoteSigner(s *Signer) note.Signer { return s.signer }
