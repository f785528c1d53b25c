/// The name of what a call asks policy for, such as `data.read`. Open, because policy also knows names of older calls.
package struct ActionName: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }

    package static let agentRun = Self(rawValue: "agent.run")
    package static let approvalRequest = Self(rawValue: "approval.request")
    package static let dataRead = Self(rawValue: "data.read")
    package static let dataWrite = Self(rawValue: "data.write")
    package static let externalRead = Self(rawValue: "external.read")
    package static let externalWrite = Self(rawValue: "external.write")
    /// Waiting: no question to policy.
    package static let internalWait = Self(rawValue: "internal.wait")
    package static let internalWrite = Self(rawValue: "internal.write")
    package static let modelCall = Self(rawValue: "model.call")
    package static let shellExec = Self(rawValue: "shell.exec")
}
