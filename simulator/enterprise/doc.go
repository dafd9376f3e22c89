// Package enterprise invents the company that every simulated provider
// belongs to: its name and its people. The AWS, Entra, CyberArk, Salesforce
// and Xero simulators ask it for the same person by the same index, so that
// one human being has the same name, e-mail address and employee number
// everywhere and can be recognised across systems.
//
// The n-th person is computed from the seed when asked for; nothing is kept,
// so a company of a million people costs no memory. Names and companies are
// made up, and addresses lie under the reserved domain .example (RFC 2606).
//
// It knows nothing of any provider: accounts, groups and licences are the
// business of the simulator that holds them.
package enterprise
