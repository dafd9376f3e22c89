// Package wire is the contract of package connector as a conversation in JSON
// lines, version 1, so that a connector can be a program of its own, in any
// language. [Serve] turns a [connector.Connector] into such a program.
//
// The host starts the program, writes to its standard input and reads its standard
// output. Each line is one JSON object in UTF-8, a [Message], at most
// [MaxLineBytes] long, without fields that are not in this package. Standard error
// is for people: it goes to the log of the run.
//
//	host       {"type":"hello","protocol":1,"contract":"1"}
//	connector  {"type":"hello","protocol":1,"contract":"1"}
//	host       {"type":"describe","id":1}
//	connector  {"type":"result","id":1,"result":{…the manifest…}}
//	host       {"type":"open","id":2,"configuration":{…},"scope":{…},"proxy":"http://…"}
//	connector  {"type":"result","id":2}
//	host       {"type":"read","id":3,"partition":{"stream":"people"},"cursor":""}
//	connector  {"type":"take","id":3,"take":1,"uses":[{"scope":"calls","key":["org-1"]}]}
//	host       {"type":"granted","id":3,"take":1}
//	connector  {"type":"release","take":1}
//	connector  {"type":"page","id":3,"page":{"entities":[…],"next":"17"}}
//	host       {"type":"next","id":3}
//	connector  {"type":"result","id":3}
//
// The host has one call under way at a time: describe, open, check, identify, plan
// or read. The connector answers it with one result or error. During a read it
// sends pages and waits after each for next; before each call to its provider that
// counts for a throttle scope it sends take and waits for granted, or refused with
// the error that it then answers the call with. It may log at any time. On cancel it
// ends the call and answers cancelled; a cancel of a call that has been answered
// says nothing. The session ends when standard input does.
//
// Secrets come in the configuration of open and nowhere else: the program has no
// arguments or environment that hold one. Calls to the provider go through the HTTP
// proxy that open names; where the program is kept apart, it has no other network.
//
// Nothing passes through the package but messages: it starts no process, and makes
// no connection except that the client which [Serve] hands to a connector uses the
// proxy.
package wire
