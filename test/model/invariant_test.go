package model

// invariant is one that must hold whatever happens. Each has a test of its name
// below TestInvariants.
type invariant string

// The invariants on runs and on ingest that the machine tries to break.
const (
	oneHolder       invariant = "at most one epoch and lease of a run is accepted at a time"
	currentOnly     invariant = "every accepted write carried the current epoch and lease"
	oneActive       invariant = "one active run per protected scope"
	endsOnce        invariant = "every accepted run ends, once"
	lateNothing     invariant = "late completions change nothing"
	together        invariant = "run, wake-up and audit event appear together or not at all"
	noneAfterCancel invariant = "no batch after cancel"
	coveredLater    invariant = "a deduped request is covered by a run that starts after it"
	batchesInOrder  invariant = "batches are 0 to n-1, once each"
	sameBatch       invariant = "the same batch again is harmless, a different one is refused"
	sameGraph       invariant = "the published graph equals that of a faultless run"
	nothingDeleted  invariant = "incomplete streams delete nothing"
	oldOrNew        invariant = "readers see the old or the new graph, never a mixture"
	onlyTheirStream invariant = "a page that breaks the contract changes nothing else"
	asTheModelSays  invariant = "every run is as the model says"
	unknownIsOneOf  invariant = "a call that failed took effect as a whole or not at all"
)

func invariants() []invariant {
	return []invariant{
		oneHolder, currentOnly, oneActive, endsOnce, lateNothing, together, noneAfterCancel, coveredLater, batchesInOrder, sameBatch, sameGraph, nothingDeleted,
		oldOrNew, onlyTheirStream, asTheModelSays, unknownIsOneOf,
	}
}

// ledger counts how often each invariant could have been broken.
type ledger map[invariant]int
