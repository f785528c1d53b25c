import JSON

/// One thing that is wrong with a plan.
package struct PlanFault: Error, Codable, Hashable, Sendable {
    /// A JSON pointer (RFC 6901) relative to the run's input, such as `/plan/steps/3/with/argv`.
    package let pointer: String
    /// One sentence: expected, found, what to do. Never quotes a value that may be secret.
    package let detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// All that is wrong with a plan, up to a limit.
package struct PlanFaults: Error, Codable, Hashable, Sendable {
    package static let faultsMax = 50

    package let faults: [PlanFault]
    /// How many more were found and not kept.
    package let omitted: Int

    package init(faults: [PlanFault], omitted: Int) {
        self.faults = faults
        self.omitted = omitted
    }
}

/// Collects faults while a plan is read.
final class FaultLog {
    private(set) var faults: [PlanFault] = []
    private(set) var omitted = 0

    var isEmpty: Bool { faults.isEmpty }

    func add(_ pointer: PlanPointer, _ detail: String) {
        guard faults.count < PlanFaults.faultsMax else { return omitted += 1 }
        faults.append(PlanFault(pointer: pointer.text, detail: detail))
    }
}

/// A JSON pointer under construction.
struct PlanPointer: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    /// The member of an object, escaped as RFC 6901 says.
    func member(_ name: String) -> Self {
        Self("\(text)/\(JSONPointer.escape(name))")
    }

    /// The element of an array.
    func element(_ index: Int) -> Self { Self("\(text)/\(index)") }
}
