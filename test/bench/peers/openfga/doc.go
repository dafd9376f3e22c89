// Command openfga answers the benchmark's questions with OpenFGA, a peer that
// we did not write: ListUsers beside who-can, and ListObjects beside what-can,
// on the tuples of the same estate.
//
// What passes through: the database's address comes in by the environment
// variable PEER_DATABASE_URL. Standard input has one JSON object a line: tuples,
// a line that ends them, then questions; standard output has what loading came
// to, and an answer for each question, with the time that OpenFGA's server took
// for it in this process, without network and without this conversation.
//
// It is a module of its own, so that OpenFGA decides nothing of what Gatehouse
// is built from. It knows nothing of Gatehouse, keeps OpenFGA's settings but
// for the bounds of answers, and stores nothing outside the database it is
// given, which must be empty.
package main
