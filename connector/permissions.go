package connector

import "encoding/json"

// PermissionPacker is an optional capability of a [Connector]: it says what to
// grant in a form that its provider takes as it is. For a connector without it the
// platform lists the permissions of the manifest.
type PermissionPacker interface {
	// PermissionPacks returns what to grant for connections with such settings, in
	// the order in which it is granted. It calls nobody; the same settings give the
	// same packs, byte by byte. An [*Error] of category ScopeInvalid or
	// CredentialInvalid means that the settings contradict each other.
	PermissionPacks(of PermissionSettings) ([]PermissionPack, error)
}

// PermissionSettings is as much of a connection's settings as is known. Fields may
// be missing that a session would need.
type PermissionSettings struct {
	// Configuration holds readable fields alone, never a secret; nil means none.
	Configuration json.RawMessage
	// Scope is as in [Settings].
	Scope json.RawMessage
}

// PermissionPack is permissions in the provider's own form.
type PermissionPack struct {
	// Kind is the provider's form, such as "aws_iam_policy". A connector has each
	// kind once.
	Kind  string
	Title string
	// Instructions say what to do with the content, in a sentence or two.
	Instructions string
	// Format is "json" or "text".
	Format string
	// FileName is what the content would be called, without a folder.
	FileName string
	Content  string
}
