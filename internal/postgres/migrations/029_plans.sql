set role gatehouse_owner;

-- Whether a run had planned all that is in scope by then, and not only what a
-- start had selected: of what was never planned, nobody has looked.
alter table publications add column whole_plan boolean not null default true;

reset role;

---- create above / drop below ----

set role gatehouse_owner;
alter table publications drop column whole_plan;
reset role;
