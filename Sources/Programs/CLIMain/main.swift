import CLI
import Platform

Program.exit(CLIProgram.run(Program.arguments, environment: Program.environment()))
