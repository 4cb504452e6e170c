// What a person does in a page of the site. What is awaited has a limit here.
() => {
    const run = (command, given) => jupyterapp.commands.execute(command, given);
    const { shell } = jupyterapp;
    const panel = () => person.panel;
    const kernel = () => panel().sessionContext.session.kernel;
    const within = async (done, what) => {
        let timer;
        const late = new Promise((_, fail) => {
            const status = () => panel()?.sessionContext.session?.kernel?.status;
            const say = () => fail(new Error(`waited for ${what}; kernel ${status()}`));
            timer = setTimeout(say, 240_000);
        });
        return Promise.race([done, late]).finally(() => clearTimeout(timer));
    };
    const open = async (path) => {
        await jupyterapp.restored;
        for (const each of [...shell.widgets("main")]) {
            if (each.context?.path === path) continue;
            await each.sessionContext?.shutdown();
            each.dispose();
        }
        person.panel = await run("docmanager:open", { path });
        await person.panel.context.ready;
        await person.panel.sessionContext.ready;
        await kernel().info;
    };
    const execute = async (code) => {
        const asked = kernel().requestExecute({ code });
        let said = "";
        asked.onIOPub = ({ content }) => { said += content.text ?? "" };
        const { content } = await asked.done;
        if (content.status !== "ok") throw new Error(content.evalue);
        return said;
    };
    const cell = (id) => panel().content.widgets.findIndex(({ model }) => model.id === id);
    const begin = (id, source) => {
        const { content } = panel();
        content.activeCellIndex = cell(id);
        if (source !== null) content.activeCell.model.sharedModel.setSource(source);
        return run("notebook:run-cell");
    };
    const edit = async (path, find, replace) => {
        const editor = await run("docmanager:open", { path });
        await editor.context.ready;
        const text = editor.context.model.toString();
        const edited = text.replace(new RegExp(find, "gm"), replace);
        if (edited === text) throw new Error(`${find} is not in ${path}`);
        editor.context.model.fromString(edited);
        await editor.context.save();
        editor.dispose();
        shell.activateById(panel().id);
    };
    globalThis.person = {
        open: (path) => within(open(path), `${path} and its kernel`),
        execute: (code) => within(execute(code), code),
        cells: () => panel().content.widgets.map(({ model: { id, type, metadata, sharedModel } }) =>
            ({ id, type, tags: metadata.tags ?? [], source: sharedModel.source })),
        begin,
        run: async (id, source) => {
            await within(begin(id, source), `cell ${cell(id)}`);
            return panel().content.widgets[cell(id)].model.outputs.toJSON();
        },
        edit: (...given) => within(edit(...given), "the editor"),
        crash: () => {
            kernel().requestExecute({ code: "while True: pass" }).done.catch(() => {});
            return within(panel().sessionContext.restartKernel(), "another kernel");
        },
    };
}
