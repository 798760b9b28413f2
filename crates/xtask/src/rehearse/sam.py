"""SAM to CloudFormation by the translator that CloudFormation itself uses. JSON in, JSON out; argument: the Region."""
import json
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

session = boto3.Session(region_name=sys.argv[1])
json.dump(Translator({}, Parser(), boto_session=session).translate(json.load(sys.stdin), {}), sys.stdout)
