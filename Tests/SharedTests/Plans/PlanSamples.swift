import JSON

@testable import Shared

/// A plan around some steps, each given as JSON text.
func planText(_ steps: String...) -> String { "{\"version\": 1, \"steps\": [\(steps.joined(separator: ", "))]}" }

/// A plan of one step with this tool and these arguments.
func planText(tool: String, with arguments: String) -> String {
    planText("{\"id\": \"a\", \"tool\": \"\(tool)\", \"with\": \(arguments)}")
}

/// A harmless step with these further members, such as `"needs": ["a"]`.
func stepText(_ id: String, _ members: String = "") -> String {
    let tail = members.isEmpty ? "" : ", \(members)"
    return "{\"id\": \"\(id)\", \"tool\": \"file.read\", \"with\": {\"path\": \"f\"}\(tail)}"
}

func parsed(_ text: String) throws -> Result<Plan, PlanFaults> { Plan.parse(try JSON.parse(text)) }

func plan(_ steps: String...) throws -> Plan {
    try parsed("{\"version\": 1, \"steps\": [\(steps.joined(separator: ", "))]}").get()
}

func faults(_ text: String) throws -> PlanFaults {
    switch try parsed(text) {
    case .success: PlanFaults(faults: [], omitted: 0)
    case .failure(let faults): faults
    }
}

func id(_ text: String) -> PlanStepID { PlanStepID(rawValue: text)! }

/// A repeatable random source (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
