import JSON
import Platform
import Shared

/// Runs a program or a script, in the sandbox.
struct ShellTool: ToolImplementation {
    static let stderrTailBytes = 2 << 10

    let sandbox: Sandbox
    let runner: any ProcessRunner

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        let command = try command(call)
        let (runner, masker, sandbox) = (runner, call.masker, sandbox)
        return PreparedCall { permit in
            var standardOutput = OutputCapture(masker)
            var standardError = OutputCapture(masker)
            do throws(SystemError) {
                let end = try runner.run(command, stop: permit.stop) { stream, bytes in
                    switch stream {
                    case .standardOutput: standardOutput.add(bytes)
                    case .standardError: standardError.add(bytes)
                    }
                }
                return Self.result(end, &standardOutput, &standardError, sandbox)
            } catch {
                return .failure(
                    ToolFailure(
                        "spawn_failed", "the program could not be started: \(error)", retryable: error.isTransient,
                        beforeStart: true))
            }
        }
    }

    private func command(_ call: ToolInput) throws(ToolFailure) -> ProcessCommand {
        let argv: [String]
        if let script = call.text("script") {
            argv = ["/bin/sh", "-c", script]
        } else {
            argv = call.arguments["argv"]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
        guard !argv.isEmpty else { throw ToolFailure("arguments_invalid", "expected argv or script") }
        var environment: [String: String] = [:]
        for (name, value) in call.arguments["env"]?.objectValue ?? [:] { environment[name] = value.stringValue ?? "" }
        var directory = call.workdir.path
        if let cwd = call.text("cwd"), cwd != "." {
            do throws(SystemError) { _ = try call.workdir.folder.folder(cwd) } catch {
                throw ToolFailure("cwd_unavailable", "cwd cannot be used: \(error)")
            }
            directory += "/" + cwd
        }
        var command = try sandbox.command(
            SandboxRequest(
                argv: argv, environment: environment, workdir: call.workdir.path, directory: directory,
                network: call.flag("network"), runID: call.runID, stepID: call.stepID))
        command.standardInput = Array((call.text("stdin") ?? "").utf8)
        command.timeoutMilliseconds = call.timeoutMs
        return command
    }

    private static func result(
        _ end: ProcessEnd, _ standardOutput: inout OutputCapture, _ standardError: inout OutputCapture,
        _ sandbox: Sandbox
    ) -> Result<JSONObject, ToolFailure> {
        let tail = standardError.ending(bytesMax: stderrTailBytes)
        var details: JSONObject = ["duration_ms": .integer(end.durationMilliseconds), "stderr_tail": .string(tail)]
        if end.survivors > 0 { details["processes_left"] = .integer(Int64(end.survivors)) }
        switch end.reason {
        case .stopped(let cause):
            // What it did until then is done: only a person can tell how far it came.
            var failure = ToolFailure.stopped(cause, uncertain: cause == .drained)
            failure.details = details
            return .failure(failure)
        case .timeout:
            return .failure(
                ToolFailure(
                    "timeout", "it ran for longer than its timeout_ms and was killed", retryable: true, details: details
                ))
        case .byItself: break
        }
        if let failure = sandbox.failure(end, stderrTail: tail) { return .failure(failure) }
        guard case .code(let code) = end.exit else {
            if case .signal(let signal) = end.exit { details["signal"] = .integer(Int64(signal)) }
            return .failure(ToolFailure("killed", "it was ended by a signal", retryable: true, details: details))
        }
        guard code == 0 else {
            details["exit_code"] = .integer(Int64(code))
            var captured: JSONObject = [:]
            standardOutput.write("stdout", to: &captured)
            details["stdout_tail"] = .string(standardOutput.ending(bytesMax: stderrTailBytes))
            return .failure(
                ToolFailure("exit_status", "it ended with exit status \(code)", retryable: true, details: details))
        }
        var output: JSONObject = ["exit_code": 0]
        standardOutput.write("stdout", to: &output)
        standardError.write("stderr", to: &output)
        output["duration_ms"] = .integer(end.durationMilliseconds)
        output["sandbox"] = .string(sandbox.level.rawValue)
        return .success(output)
    }
}

extension SystemError {
    /// Whether the machine was short of something.
    var isTransient: Bool { [11, 12, 23, 24].contains(number) }
}
