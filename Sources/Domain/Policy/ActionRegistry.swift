package import Shared

/// The action registry (`contract/API_HARDENING.md` 1.10): a table in the code, because nothing can change it yet.
package enum ActionRegistry {
    /// Sorted by action.
    package static let actions: [RegisteredAction] = [
        local("api.call.idempotent"),
        leaving("api.call.mutating", cost: .high),
        local("artifact.create"),
        local("artifact.update"),
        leaving("email.send", cost: .medium),
        leaving("external.write", cost: .high),
        leaving("payment.execute", cost: .high),
    ]

    package static func entry(_ action: ActionName) -> RegisteredAction? { byName[action] }

    private static let byName = Dictionary(uniqueKeysWithValues: actions.map { ($0.actionType, $0) })

    /// When the rows became part of the product: 2026-01-01T00:00:00Z.
    private static let seeded = Timestamp(milliseconds: 1_767_225_600_000)

    /// What can be undone: looked at afterwards.
    private static func local(_ name: String) -> RegisteredAction {
        RegisteredAction(
            actionType: ActionName(rawValue: name), reversible: true, zoneRequired: .supervised,
            requiresPreApproval: false, postReviewRequired: true,
            metadata: .init(costImpact: .low, recoveryDifficulty: .easy), at: seeded)
    }

    /// What cannot: approved before.
    private static func leaving(_ name: String, cost: RegisteredAction.Level) -> RegisteredAction {
        RegisteredAction(
            actionType: ActionName(rawValue: name), reversible: false, zoneRequired: .highStakes,
            requiresPreApproval: true, postReviewRequired: false,
            metadata: .init(costImpact: cost, recoveryDifficulty: .hard), at: seeded)
    }
}
