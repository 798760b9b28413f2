"""What somebody could do who has taken over a function: tried with that function's own role, as a function beside it.

Answers a list of tries, each with what is wanted (allowed, refused) and what came of it.
"""
import boto3
from botocore.exceptions import ClientError

ME = "lumina-probe"


def came_of(call, **given):
    try:
        call(**given)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "refused" if code in ("AccessDenied", "AccessDeniedException") else "allowed"
    return "allowed"


def assumed(role, tags):
    given = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName=ME, Tags=tags)["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def tag(key, value):
    return {"Key": key, "Value": value}


def handler(event, _):
    table, role, mine, other = event["table"], event["role"], event["tenant"], event["other"]
    tries = []

    def attempt(name, wanted, call, **given):
        tries.append({"try": name, "wanted": wanted, "got": came_of(call, **given)})

    def key(tenant, kind="pat#x"):
        return {"pk": {"S": f"{tenant}#{kind}"}, "sk": {"S": "."}}

    def query(tenant, **more):
        name = "gsi1pk" if more else "pk"
        return dict(
            TableName=table, KeyConditionExpression="#k = :k", ExpressionAttributeNames={"#k": name},
            ExpressionAttributeValues={":k": {"S": f"{tenant}#pat"}}, **more,
        )

    def check(tenant):
        return {"ConditionCheck": {"TableName": table, "Key": key(tenant), "ConditionExpression": "attribute_exists(pk)"}}

    own = boto3.client("dynamodb")
    attempt("the table with the function's own role", "refused", own.get_item, TableName=table, Key=key(mine))

    sts = boto3.client("sts")
    for name, tags in (
        ("the tenants' role without a tag", []),
        ("the tenants' role for the platform", [tag("tenant", "platform")]),
        ("the tenants' role with a tag more", [tag("tenant", mine), tag("admin", "yes")]),
    ):
        attempt(name, "refused", sts.assume_role, RoleArn=role, RoleSessionName=ME, Tags=tags)

    session = assumed(role, [tag("tenant", mine)])
    dynamo = session.client("dynamodb")
    for whose, tenant, wanted in (("its own", mine, "allowed"), ("another's", other, "refused")):
        attempt(f"{whose} record", wanted, dynamo.get_item, TableName=table, Key=key(tenant))
        attempt(f"{whose} partition", wanted, dynamo.query, **query(tenant))
        attempt(f"{whose} list", wanted, dynamo.query, **query(tenant, IndexName="gsi1"))
        attempt(f"a batch with {whose}", wanted, dynamo.batch_get_item,
                RequestItems={table: {"Keys": [key(mine), key(tenant, "pat#y")]}})
        attempt(f"a write of {whose}", wanted, dynamo.put_item, TableName=table, Item=key(tenant, "probe#x"))
        attempt(f"a transaction over {whose}", wanted, dynamo.transact_write_items,
                TransactItems=[check(mine) if tenant == other else check(tenant), {"Put": {
                    "TableName": table, "Item": key(tenant, "probe#y")}}])
        attempt(f"{whose} data key", wanted, session.client("kms").generate_data_key_without_plaintext,
                KeyId=event["key"], KeySpec="AES_256", EncryptionContext={"tenant": tenant})
        attempt(f"{whose} file", wanted, session.client("s3").get_object,
                Bucket=event["bucket"], Key=f"{tenant}/x")
    attempt("the whole table", "refused", dynamo.scan, TableName=table)
    attempt("the platform's register", "refused", dynamo.get_item, TableName=table, Key=key("platform", "tenant#x"))
    for verb, call in (("rewritten", dynamo.update_item), ("removed", dynamo.delete_item)):
        attempt(f"a change record {verb}", "refused", call, TableName=table, Key=key(mine, "chg#pat#x"))
    return tries
