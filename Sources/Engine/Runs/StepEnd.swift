import JSON
import Shared

/// What a step's thread came back with.
enum StepEnd: Sendable {
    /// It has ended, and the api knows.
    case ended(StepStatus, output: JSONValue, failure: ToolFailure?)
    /// It cannot go on until this is settled.
    case waits(Wait)
    /// It was broken off by a drain, in a state from which any engine can go on.
    case interrupted
    /// The lease is gone.
    case lost
}
