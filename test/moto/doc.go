// Package moto runs moto_server for tests: an imitation of AWS that we did not
// write and that knows nothing of our connector.
//
// A test gets a server of its own on a loopback port and fills it by the AWS
// SDK. Where moto_server is not installed the test is skipped, saying so. The
// package knows nothing of Gatehouse.
package moto
