//! gRPC services behind the layer, called by tonic's client over a socket. Tests that are named by a case of the list of attacks
//! begin with its id.

mod call;
mod one_port;
mod request;
mod web;
mod world;
