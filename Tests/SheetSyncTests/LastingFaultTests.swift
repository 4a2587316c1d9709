import Testing

/// Faults that last for some time, one after another, because most of the tests wait.
@Suite(.serialized) enum LastingFaultTests {}
