//! The whole contract, each handle with connections of its own.

mod single {
    use oauth_core::storage::testing;

    use crate::backend::Single;

    testing::suite!(Single);
}

mod cluster {
    use oauth_core::storage::testing;

    use crate::backend::Cluster;

    testing::suite!(Cluster);
}
