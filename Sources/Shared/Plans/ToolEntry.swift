/// One line of the tool table.
package struct ToolEntry: Hashable, Sendable {
    package let tool: Tool
    package let action: ActionRule
    package let effect: EffectRule
    /// Nil for a tool that the engine cannot execute yet; a plan that uses it is refused.
    package let arguments: ArgumentSchema?

    /// Whether the engine of this release executes the tool.
    package var isExecuted: Bool { arguments != nil }
}

/// How a tool's action follows from its arguments.
package enum ActionRule: Hashable, Sendable {
    case always(ActionName)
    /// GET and HEAD are `external.read`, all else (also a method that is still open) is `external.write`.
    case byMethod
    /// `shell.exec`, unless `network` is anything but absent or false: then `external.write`.
    case byNetwork
}

/// How a tool's effect follows from its arguments. A plan may declare a stricter one.
package enum EffectRule: Hashable, Sendable {
    case always(Effect)
    /// GET and HEAD: none; PUT and DELETE: idempotent; all else, also an open method: once.
    case byMethod
    /// Once; without network a plan may declare anything.
    case byNetwork
}
