{{title}}
begin transaction isolation level repeatable read read only;
set local row_security = off;
set local client_encoding = 'UTF8';
{{settings}}

select c.digest = {{digest}} and c.shape = {{shape}} as ok,
       c.digest,
       {{digest}} as archived_digest,
       c.shape,
       {{shape}} as archived_shape
  from (
select (
{{digest_query}}
) as digest, (
{{shape_query}}
) as shape
  ) as c;

commit;
