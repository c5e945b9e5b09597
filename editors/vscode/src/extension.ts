// Starts `selfdebug lsp` and passes the commands of the palette on to it. All else is the
// protocol's: what the server says, VS Code shows.
//
//     npm ci && npm run package && code --install-extension selfdebug.vsix

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const [command, ...args] = vscode.workspace
    .getConfiguration("selfdebug")
    .get<string[]>("command", ["selfdebug", "lsp"]);
  client = new LanguageClient(
    "selfdebug",
    "selfdebug",
    { command, args },
    { documentSelector: ["python", "javascript"].map((language) => ({ scheme: "file", language })) },
  );
  const palette: [string, () => Promise<unknown>][] = [
    ["runThis", () => ask("selfdebug.run")],
    ["explainThis", () => ask("selfdebug.explain")],
    ["fixThis", () => ask("selfdebug.fix")],
    ["chooseTests", chooseTests],
  ];
  for (const [name, run] of palette) {
    context.subscriptions.push(vscode.commands.registerCommand(`selfdebug.${name}`, run));
  }
  try {
    await client.start();
  } catch (error) {
    void vscode.window.showErrorMessage(
      `selfdebug: cannot start "${[command, ...args].join(" ")}" (${String(error)}). ` +
        "Install it with: pip install 'selfdebug[editor]', or set selfdebug.command.",
    );
  }
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
}

/** Have the server run a command on the file that is open; it shows the answer itself. */
async function ask(command: string, ...more: string[]): Promise<unknown> {
  const file = vscode.window.activeTextEditor?.document.uri;
  if (file === undefined) {
    return vscode.window.showInformationMessage("selfdebug: open a file first");
  }
  // The client has registered the server's own commands under their names.
  return vscode.commands.executeCommand(command, file.toString(), ...more);
}

async function chooseTests(): Promise<unknown> {
  const chosen = await vscode.window.showOpenDialog({ openLabel: "Use these tests" });
  return chosen && ask("selfdebug.run", chosen[0].fsPath);
}
