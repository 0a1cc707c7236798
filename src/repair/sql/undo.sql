
lock table {{unified}} in share row exclusive mode;

{{acting}}

{{undo}}

{{closing}}