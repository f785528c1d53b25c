package import HTTPClient
package import Platform
import Shared

extension ToolBox {
    /// All tools of this release.
    package static func standard(
        sandbox: Sandbox, runner: any ProcessRunner, egress: EgressRule, clock: any Clock,
        connect: @escaping @Sendable (SocketAddress, _ hostField: String) -> any HTTPTransport = {
            SocketTransport(pinned: $0, hostHeader: $1)
        }
    ) -> ToolBox {
        ToolBox([
            .fileList: FileListTool(), .fileRead: FileReadTool(), .fileWrite: FileWriteTool(),
            .http: HTTPTool(egress: egress, connect: connect), .message: MessageTool(),
            .shell: ShellTool(sandbox: sandbox, runner: runner),
            .sleep: SleepTool(clock: clock),
        ])
    }
}
