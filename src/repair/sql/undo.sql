
lock table {{unified}} in share row exclusive mode;

{{undo}}

{{closing}}