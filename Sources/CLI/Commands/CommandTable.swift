/// Every command there is, one line per noun.
package enum CommandTable {
    package static let all: [Command] = [
        ApprovalCommands.all,
        ArtifactCommands.all,
        AuditCommands.all,
        BackupCommands.all,
        DoctorCommand.all,
        EngineCommands.all,
        EventCommands.all,
        HelpCommand.all,
        KillCommands.all,
        RedactCommand.all,
        RoomCommands.all,
        RunCommands.all,
        StatusCommand.all,
        StepCommands.all,
        UICommand.all,
        UpCommand.all,
    ].flatMap(\.self)
}
