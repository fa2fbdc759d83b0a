//! The server against a small reference model: after every step the same answer, the same handles alive, and the invariants.

mod command;
mod device;
mod reference;
mod system;

use proptest::prelude::*;

use crate::system::System;

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_server_does_what_the_model_does(commands in command::commands()) {
        let mut system = System::new();
        for (step, command) in commands.iter().enumerate() {
            system.run(step, command);
        }
    }
}
